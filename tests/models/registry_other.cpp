// Another file's family, registered on the same line as registry.cpp's: each must keep its own.
#include <rnx/models.hpp>

using namespace rnx;
template <int Classes, int Width = 6>
using Other = models::Classifier<models::Convolutions<>, Classes, Named<"conv1", Conv<Width, 3>>,
                                 Named<"relu", act::Relu>>;
#line 1000  // as in registry.cpp
RNX_REGISTER_MODEL("other", Other, (3, 8, 8), 2, 3);
