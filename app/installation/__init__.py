"""The life of an installation: what is stored; deleting projects, restoring backups, upgrading formats."""
