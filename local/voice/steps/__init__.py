"""What is shown with calls: each file has the steps of one part."""
