// Which routines a driver must not use: nothing is forbidden here.
