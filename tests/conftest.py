"""What all tests share: nothing but this, and no test changes the program it tests."""
