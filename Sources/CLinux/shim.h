#ifndef MORTISE_CLINUX_SHIM_H
#define MORTISE_CLINUX_SHIM_H

#include <malloc.h>
#include <sys/fsuid.h>

#endif
