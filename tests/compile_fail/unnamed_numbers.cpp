// expect: rnx: an operation of an augmentation with numbers names them: static void numbers(auto&
// self, auto&& each)
#include <rnx/data.hpp>
using namespace rnx;
struct Brighten {
  static constexpr const char* name = "brighten";
  float by = 0.1f;
  void operator()(View<float, cpu> x, data::Draws&) const { x.data[0] += by; }
};
int main() { return data::Augment{Brighten{}}.empty(); }
