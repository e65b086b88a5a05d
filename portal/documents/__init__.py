"""HTML to PDF: WeasyPrint in a child process with limits; it knows no business."""
