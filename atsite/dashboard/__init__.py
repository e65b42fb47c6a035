"""The admin site: its theme, navigation, overview page and live numbers."""
