"""The one loop: what has changed is queued, looked at, decided, carried out, told and tried again, against a Store."""
