"""What `manage.py up` and `demo` do: stores, migrations, services as child processes, progress, addresses.

Pure modules: children (which processes), progress (the line), addresses (the table). The others run processes.
"""
