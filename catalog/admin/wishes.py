"""What customers keep an eye on: favourites and stock watches."""
