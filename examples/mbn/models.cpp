#include "models.hpp"

MBN_REGISTER(20);
