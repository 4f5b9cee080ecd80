// expect: no error
#include <rnx/net.hpp>

int main() {}
