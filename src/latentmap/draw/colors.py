"""The colours that boxes, samples and charts are drawn in."""

# Okabe & Ito 2008, "Color Universal Design"; black comes last, it is lost on dark photographs.
OKABE_ITO = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#000000",
)
