"""Training of the four networks: `dmask train face|eyelid|iris|lines`."""
