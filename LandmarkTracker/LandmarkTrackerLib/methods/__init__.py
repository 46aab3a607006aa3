"""One file a Locator, Detector or Matcher: pre-processing, network, post-processing, uncertainty."""
