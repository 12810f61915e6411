"""What is true of a resource and since when: conditions, reasons, and what a refusal or an end makes of them."""
