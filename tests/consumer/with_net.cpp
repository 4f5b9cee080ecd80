#include <rnx/net.hpp>

#ifdef NLOHMANN_JSON_VERSION_MAJOR
#error "net.hpp is the lean part: no JSON"
#endif
#ifdef XTENSOR_VERSION_MAJOR
#error "net.hpp is the lean part: no xtensor"
#endif

int main() { return 0; }
