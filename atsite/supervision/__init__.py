"""What `manage.py up` and `demo` do: stores, migrations, services as child processes, progress, addresses.

Pure: children (which processes), progress (the line), addresses (the table). The rest runs processes and asks them.
"""
