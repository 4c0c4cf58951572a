"""The rules of Java's libraries, where the dialect is defined by them."""
