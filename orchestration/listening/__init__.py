"""Social listening: who is talked about, what suddenly is, and the page that shows it."""
