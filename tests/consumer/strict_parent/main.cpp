#include <rnx/net.hpp>
int main() { return rnx::host::threads() < 1; }
