#include <rnx/rnx.hpp>

int main() { return 0; }
