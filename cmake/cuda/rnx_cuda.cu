// The library rnx::cuda.
#include <rnx/cuda.cuh>
