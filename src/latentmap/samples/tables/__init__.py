"""Tables of other people, of every kind of file, read by one reader; `rows.Rows` opens them."""
