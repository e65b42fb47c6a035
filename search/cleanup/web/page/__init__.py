"""The page on which people clean up their account: plain forms that work without a script."""
