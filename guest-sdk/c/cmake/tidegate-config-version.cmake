# The SDK's version; any older one that is asked for will do.

set(PACKAGE_VERSION 0.1.0)
if(PACKAGE_FIND_VERSION VERSION_LESS_EQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
