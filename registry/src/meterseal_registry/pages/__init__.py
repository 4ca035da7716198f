"""Pages that phones and offices open: check.html (one meter), bulk.html (a spreadsheet), plain CSS and modules."""
