"""What all pages for people share: layout, headers, errors."""
