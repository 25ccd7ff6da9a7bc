"""What people see in a browser: templates, static files and what fills them."""
