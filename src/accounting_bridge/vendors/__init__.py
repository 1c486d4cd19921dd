"""One module or package a vendor. A vendor never imports another, nor a session, nor an HTTP library."""
