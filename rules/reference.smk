# Samples that are placed into a finished map go to the same place whatever the seed.
TRUST_OPTIONS = RUN.trust.model_copy(update={"seeds": 0} if RUN.reference_run else {})
