"""The admin as a place to work in: its site, theme, navigation, start page and live numbers."""
