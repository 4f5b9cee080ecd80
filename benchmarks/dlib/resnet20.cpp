// ResNet-20 in dlib: images a second of inference and of training steps. Compiled by compare.sh
// only.
//   dlib_resnet20 inference|training_step SECONDS     prints "images_per_second
//   images_per_cpu_second"
//   dlib_resnet20 version                             DLIB_VERSION, a macro from the command line
// The same convolutions, norms and sums as in rnx, 3 x 32 x 32 images, batches of 128. What
// differs: a shortcut that halves the map takes the mean of 2 x 2 pixels (rnx takes one of the
// four), its missing channels are zeros at the end; inference has affine layers instead of batch
// norms; images are normalised when they become a tensor, which is not timed. A training step is
// forward, backward and SGD with momentum.
#include <chrono>
#include <ctime>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <dlib/dnn.h>

using namespace dlib;

template <int N, int Stride, class Net>
using conv3x3 = add_layer<con_<N, 3, 3, Stride, Stride, 1, 1>, Net>;
template <int N, int Stride, template <class> class Norm, class Net>
using body = Norm<conv3x3<N, 1, relu<Norm<conv3x3<N, Stride, Net>>>>>;
template <int N, template <class> class Norm, class Net>
using same = relu<add_prev1<body<N, 1, Norm, tag1<Net>>>>;
template <int N, template <class> class Norm, class Net>
using half = relu<add_prev2<avg_pool<2, 2, 2, 2, skip1<tag2<body<N, 2, Norm, tag1<Net>>>>>>>;
template <template <class> class Norm, class Net>
using stage1 = same<16, Norm, same<16, Norm, same<16, Norm, relu<Norm<conv3x3<16, 1, Net>>>>>>;
template <template <class> class Norm, class Net>
using stage2 = same<32, Norm, same<32, Norm, half<32, Norm, Net>>>;
template <template <class> class Norm, class Net>
using stage3 = same<64, Norm, same<64, Norm, half<64, Norm, Net>>>;
template <template <class> class Norm>
using ResNet20 = loss_multiclass_log<fc<
    10, avg_pool_everything<stage3<Norm, stage2<Norm, stage1<Norm, input<matrix<rgb_pixel>>>>>>>>;

constexpr int batch_size = 128;

template <class F> void report(double seconds, F f) {
  f();
  using clock = std::chrono::steady_clock;
  const clock::time_point start = clock::now();
  const std::clock_t cpu = std::clock();
  double passed = 0;
  long images = 0;
  while (passed < seconds || images < 5 * batch_size) {
    f();
    images += batch_size;
    passed = std::chrono::duration<double>(clock::now() - start).count();
  }
  std::printf("%.3f %.3f\n", double(images) / passed,
              double(images) * CLOCKS_PER_SEC / double(std::clock() - cpu));
}

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "version") {
    std::puts(DLIB_VERSION);
    return 0;
  }
  if (argc != 3 || (what != "inference" && what != "training_step")) {
    std::fprintf(stderr, "usage: dlib_resnet20 inference|training_step SECONDS\n");
    return 2;
  }
  std::srand(1);
  std::vector<matrix<rgb_pixel>> images(batch_size, matrix<rgb_pixel>(32, 32));
  std::vector<unsigned long> labels;
  for (matrix<rgb_pixel>& image : images) {
    for (rgb_pixel& p : image)
      p = rgb_pixel(std::rand() & 255, std::rand() & 255, std::rand() & 255);
    labels.push_back(std::rand() % 10);
  }
  ResNet20<bn_con> net;
  disable_duplicative_biases(net);
  resizable_tensor x;
  net.to_tensor(images.begin(), images.end(), x);
  std::vector<sgd> solvers(net.num_computational_layers, sgd(5e-4f, 0.9f));
  const auto step = [&] {
    net.compute_parameter_gradients(x, labels.begin());
    net.update_parameters(solvers, 0.01);
  };
  if (what == "training_step") {
    report(std::atof(argv[2]), step);
  } else {
    step();  // batch norms need statistics before they become affine layers
    ResNet20<affine> still = net;
    report(std::atof(argv[2]), [&] { still.subnet().forward(x); });
  }
}
