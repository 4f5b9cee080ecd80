// 11: the bridges. Activations as Eigen matrices, images as xtensor arrays; both look at the memory
// that is there, and what they write is seen.
#include <rnx/rnx.hpp>

#include <Eigen/Eigenvalues>
#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>

#include <cstdio>

using namespace rnx;

using Net = Network<models::ResNet20<10>, Shape<3, 32, 32>>;

int main() {
  const Net net(1);
  constexpr int n = 40;
  const data::Images images = data::synthetic(data::Split::test, n);
  Tensor<> x = data::batch_tensor(images, 0, n);

  // xtensor: (n, h, w, c). The mean image, and the statistics that a network normalises with
  auto pixels = as_xtensor(x.view());
  const xt::xarray<float> mean_image = xt::mean(pixels, {0});
  const xt::xarray<float> of_channels = xt::mean(pixels, {0, 1, 2});
  const data::Statistics statistics = data::statistics(data::Memory(images));
  double apart = 0;
  for (std::size_t c = 0; c < 3; ++c)
    apart = std::max(apart, std::abs(double(of_channels(c)) - double(statistics.mean[c])));
  std::printf("mean image %zu x %zu, channel means %.3f %.3f %.3f\n", mean_image.shape(0),
              mean_image.shape(1), double(of_channels(0)), double(of_channels(1)),
              double(of_channels(2)));
  xt::view(pixels, xt::all(), xt::range(0, 8), xt::range(0, 8), xt::all()) = 0.5f;  // seen by rnx
  const bool written = x.data()[0] == 0.5f;

  // Eigen: rows are samples (of maps: pixels), columns channels. Principal axes of the features
  auto trace = net.make_trace({.capacity = n, .keep = {Keep::tap<Penultimate>()}});
  net.forward(trace, x.view(), {});
  const auto features = as_matrix(net.tap<Penultimate>(trace).value);
  const Eigen::MatrixXf centred = features.rowwise() - features.colwise().mean();
  const Eigen::MatrixXf covariance = centred.transpose() * centred / float(n - 1);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXf> axes(covariance);
  const float all = axes.eigenvalues().sum(), largest = axes.eigenvalues().tail<5>().sum();
  std::printf("%d features, five axes hold %.1f %% of their variance\n", int(features.cols()),
              100 * double(largest / all));

  // the classifier by hand: features W^T + b
  const std::vector<float> weight = net.get("fc.weight").values, bias = net.get("fc.bias").values;
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const RowMajor> w(weight.data(), 10, features.cols());
  const Eigen::Map<const Eigen::RowVectorXf> b(bias.data(), 10);
  const Eigen::MatrixXf logits = (features * w.transpose()).rowwise() + b;
  const float error = (logits - as_matrix(trace.logits())).cwiseAbs().maxCoeff();
  std::printf("logits by hand differ by %.1e\n", double(error));
  return written && apart < 1e-5 && error < 1e-4f ? 0 : 1;
}
