"""The page that an operator shows to their community: search, numbers and feeds as plain pages, without a script."""
