// Write Tidegate operators in C: the one header that an operator's source file needs.

#ifndef TIDEGATE_H
#define TIDEGATE_H

#include "tidegate/operator.h"

#endif
