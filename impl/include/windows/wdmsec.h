// The security descriptors of IoCreateDeviceSecure, which are not looked at.
#include <driver_gaps.h>
