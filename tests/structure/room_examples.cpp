// The examples of docs/rooms/: each page quotes the part of its room, line for line
// (tests/structure/pages.cpp compares them).
#include <doctest/doctest.h>

#include <rnx/rnx.hpp>

#include <rnx/deploy.hpp>
#include <rnx/linearize.hpp>
#include <rnx/report.hpp>

using namespace rnx;

namespace {

using Block =
    Sequential<Named<"conv", Conv<8, 3>>, Named<"bn", BatchNorm<>>, Named<"relu", act::Relu>>;
using Small =
    Sequential<Named<"body", Tap<Penultimate, Block>>, GlobalAveragePool, Named<"fc", Linear<10>>>;
using Net = Network<Small, Shape<3, 8, 8>>;

/// n images of noise, label i % 10.
data::Images noise(int n) {
  data::Images images{.n = n, .dims = {3, 8, 8}, .classes = 10};
  const rng::Stream random(1, Purpose::test);
  for (int i = 0; i < n * 192; ++i) images.pixels.push_back(std::uint8_t(random.bits(i)));
  for (int i = 0; i < n; ++i) images.labels.push_back(i % 10);
  return images;
}

}  // namespace

TEST_CASE("core: numbers, fractions, errors") {
  const Rational eps = Rational::parse("8/255", "--eps");
  const rng::Stream random(1, Purpose::test);  // seed 1
  const double u = random.uniform(5);          // number 5 of the stream, in [0, 1)
  CHECK(u == rng::Stream(1, Purpose::test).uniform(5));
  CHECK(eps.value() == 8.0 / 255);
  CHECK_THROWS_AS(Rational::parse("8/0"), UsageError);
}

TEST_CASE("device: memory and streams") {
  void* p = memory<cpu>::allocate(64);
  memory<cpu>::zero(p, 64, Stream{});  // queued on the default stream
  std::array<char, 64> host{1};
  memory<cpu>::download(host.data(), p, 64);
  memory<cpu>::release(p);
  CHECK(host[0] == 0);
}

TEST_CASE("tensor: order of memory") {
  const std::vector<float> nchw{1, 2, 3, 4, 5, 6, 7, 8};  // one sample, 2 channels of 2 x 2
  const Tensor<> x = Tensor<>::from_nchw(1, {2, 2, 2}, nchw);
  const View<const float> v = x.view();  // (n, h, w, c): channels innermost
  CHECK(v.data[1] == 5);
  CHECK(to_nchw(v.channels(1, 1)) == std::vector<float>{5, 6, 7, 8});
}

TEST_CASE("kernels: one operation") {
  Tensor<> a(1, {4, 1, 1}), b(1, {4, 1, 1}), y(1, {4, 1, 1});
  a.data()[2] = 3;
  b.data()[2] = 4;
  run<cpu>({}, op::add<float>{.a = a.view(), .b = b.view(), .y = y.view()});
  CHECK(y.data()[2] == 7);
}

TEST_CASE("quant: maps are options of a convolution") {
  using Quantized =
      Sequential<Named<"conv", Conv<8, 3, quant::MultiBit<2>, quant::RoundActivation<4>>>,
                 GlobalAveragePool>;
  const Network<Quantized, Shape<3, 8, 8>> net(1);
  const Node& conv = net.graph().nodes[0];
  CHECK(conv.weight_bits == 2);
  CHECK(conv.activation_bits == 4);
}

TEST_CASE("layers: shapes and faults are known to the compiler") {
  using Layer = Conv<16, 3, Stride<2>, Groups<2>, Bias<true>>;
  static_assert(Layer::out_dims({4, 8, 8}) == Dims{16, 4, 4});
  static_assert(Layer::fault({3, 8, 8}) == Fault::groups);
  CHECK(LayerSpec<Layer>);
}

TEST_CASE("compose: a residual stage") {
  using Body =
      Sequential<Named<"conv1", Conv<8, 3>>, Named<"relu", act::Relu>, Named<"conv2", Conv<8, 3>>>;
  using Stage = Repeat<2, Residual<Body, Identity, Named<"relu2", act::Relu>>>;
  const Network<Sequential<Named<"conv", Conv<8, 3>>, Named<"layer1", Stage>>, Shape<3, 8, 8>> net;
  CHECK(net.get("layer1.1.conv2.weight").shape == std::vector<int>{8, 8, 3, 3});
}

TEST_CASE("network: forward, backward, what is kept") {
  Net net(1);
  auto trace = net.make_trace(
      {.use = Use::train, .capacity = 2, .keep = {Keep::tap<Penultimate>().seeded()}});
  auto grads = net.make_grads();
  const Tensor<> x = data::batch_tensor(noise(2), 0, 2);
  net.forward(trace, x.view(), {.mode = Mode::train});  // const: fills the trace
  std::fill_n(trace.logits_gradient().data, 20, 0.1f);
  net.backward(trace, {}, &grads);  // {}: the gradient of the images is not wanted
  net.commit_statistics(trace);     // running statistics move here
  CHECK(net.tap<Penultimate>(trace).value.dims == Dims{8, 8, 8});
}

TEST_CASE("cost: of a graph") {
  const Net net;
  const cost::Row total = cost::table(net.graph()).total();
  CHECK(total.macs == 8 * 3 * 9 * 64 + 8 * 10);
  CHECK(total.relus == 8 * 64);
}

TEST_CASE("models: policies") {
  using Binary = models::ResNet20<100, models::Convolutions<quant::Sign, quant::SignActivation>>;
  static_assert(layer::out_dims<Binary>({3, 32, 32}) == Dims{100, 1, 1});
  static_assert(layer::fault<models::AlexNet<10>>({3, 32, 32}) != Fault::none);
  CHECK(LayerSpec<Binary>);
}

TEST_CASE("loss: value and gradient of a sum") {
  const Net net(1);
  const data::Images images = noise(4);
  auto trace = net.make_trace({.use = Use::train, .capacity = 4});
  net.forward(trace, data::batch_tensor(images, 0, 4).view(), {});
  const loss::Labels<> labels(images.labels, 10);  // checked, in device memory
  const Tensor<> zeros(4, {10, 1, 1});
  loss::Values<> values(4);
  const auto sum = loss::sum(loss::term(1, loss::CrossEntropy{.labels = labels.data()}),
                             loss::term(0.01, loss::Mse(zeros.view())));
  CHECK(loss::mean(sum, trace, values) > 0);  // writes trace.logits_gradient(), too
}

TEST_CASE("optim: a step by hand") {
  Net net(1);
  auto grads = net.make_grads();
  optim::Adam adam({.weight_decay = 1e-4, .groups = {optim::freeze("body.*")}});
  adam.add(net, grads);
  const optim::StepState<> values({.lr = 1e-3});  // in device memory
  adam.step(values.get());
  CHECK(adam.steps() == 1);
}

TEST_CASE("io: files with PyTorch's names") {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "rnx_room_io";
  Net net(1), other(2);
  io::save_model(file, net, {{"note", "example"}});
  const io::Loaded loaded = io::load_model(file, other);
  CHECK(loaded.self_tested);
  CHECK(io::SafetensorsFile::read(file).metadata().at("note") == "example");
  std::filesystem::remove(file);
}

TEST_CASE("data: a loader of a selection") {
  const data::Memory whole(noise(40));
  const data::Balanced few(whole, 2);  // two of each class
  data::Loader loader(
      few,
      {.batch = 8, .seed = 1, .views = {{data::RandomCrop{.pad = 1}, data::Cutout{.size = 2}}}});
  const data::Batch& batch = loader.next();  // (n, h, w, c) in [0, 1], labels, ids
  CHECK(batch.n == 8);
  CHECK(loader.steps_in_epoch() == 3);
}

TEST_CASE("attack: adversarial images") {
  const Net net(1);
  const data::Images images = noise(4);
  const Tensor<> x = data::batch_tensor(images, 0, 4);
  Tensor<> moved(4, x.dims());
  attack::Workspace<> work(net, 4);
  const attack::Pgd<norm::L2> pgd{.eps = 0.5, .steps = 3};
  pgd(net, work, x.view(), moved.view(), loss::CrossEntropy{.labels = images.labels.data()});
  attack::verify<norm::L2>(x.download(), moved.download(), 4, 0.5);  // throws outside the ball

  const Net other(2);  // what fools the worse of two networks
  const attack::Worst<> both({{.net = &net}, {.net = &other}});
  attack::Workspace<> of_both(both, 4);
  pgd(both, of_both, x.view(), moved.view(), loss::CrossEntropy{.labels = images.labels.data()});
  CHECK(of_both.passes().backwards == 2 * 4 * pgd.steps);
}

TEST_CASE("distill: attention transfer") {
  const Net student(1), teacher(2);
  const std::vector<distill::AttentionPair> pairs{{.student = "body.relu", .teacher = "body.relu"}};
  using Transfer = distill::AttentionTransfer<>;
  auto own =
      student.make_trace({.use = Use::train, .capacity = 2, .keep = Transfer::student_keep(pairs)});
  auto its = teacher.make_trace({.capacity = 2, .keep = Transfer::teacher_keep(pairs)});
  const Tensor<> x = data::batch_tensor(noise(2), 0, 2);
  student.forward(own, x.view(), {});
  teacher.forward(its, x.view(), {});
  loss::Values<> values(2);
  CHECK(loss::mean(Transfer(its, pairs), own, values) > 0);
}

TEST_CASE("eval: accuracies with intervals") {
  const Net net(1);
  const eval::Accuracy a =
      eval::accuracy(net, noise(20), attack::Fgsm<>{.eps = px(4)}, {.batch = 10});
  const eval::Interval i = eval::clean_proportion(a).interval();  // 95 %
  CHECK(i.low <= a.clean());
  CHECK(a.robust() <= a.clean());
}

TEST_CASE("train: a list of items") {
  Net net(1), teacher(2);
  const auto objective = train::objective(
      train::Teacher<"teacher">{.net = teacher}, train::Adversary<"adv">{.attack = {.steps = 2}},
      train::Forward<"clean">{}, train::Forward<"adv">{}, train::Ce<"clean">{},
      train::Kl<"adv", "teacher">{.weight = 2});
  optim::Sgd sgd({.momentum = 0.9});
  const train::Outcome o = train::fit(
      net, noise(20), objective, sgd,
      {.epochs = 2,
       .batch = 10,
       .augment = {},
       .schedule = optim::Constant{.lr = 0.01},
       .schedules = {{"adv.eps", optim::Constant{.lr = 4.0 / 255}}}});  // moved while it trains
  CHECK(o.finished);
  CHECK(o.last.values.size() == 2);  // of "ce.clean" and "kl.adv"
}

TEST_CASE("report: one model, one attack") {
  const Net net(1);
  const data::Images images = noise(20);
  report::ModelReport model{.label = "small", .model = "Small", .weights = "untrained"};
  model.attacks = {{.accuracy = eval::accuracy(net, images)},
                   {.name = "fgsm",
                    .norm = "linf",
                    .eps = "4/255",
                    .accuracy = eval::accuracy(net, images, attack::Fgsm<>{.eps = px(4)})}};
  const report::Report report{.title = "An example", .models = {model}};
  CHECK(report::to_markdown(report).find("fgsm") != std::string::npos);  // or report::write(...)
}

TEST_CASE("linearize: a quarter of the ReLUs") {
  using Masked = Sequential<Named<"conv", Conv<8, 3>>, Named<"relu", act::MaskedRelu>,
                            GlobalAveragePool, Named<"fc", Linear<10>>>;
  Network<Masked, Shape<3, 8, 8>> net(1);
  const auto layers = linearize::relu_layers(net.graph());
  const linearize::Budget budget = linearize::from_fractions(layers, std::array{0.25});
  linearize::set_masks(net, linearize::random_masks(layers, budget, 1));  // seed 1
  CHECK(cost::table(net).total().relus == 128);
}

TEST_CASE("deploy: a packed network and its file") {
  using Binary = Sequential<Named<"conv1", Conv<16, 3>>, Named<"bn", BatchNorm<>>,
                            Named<"conv2", Conv<16, 3, quant::XnorWeights, quant::SignActivation>>,
                            GlobalAveragePool, Named<"fc", Linear<10>>>;
  Network<Binary, Shape<3, 8, 8>> net(1);
  net.set("bn.running_var", std::vector<float>(16, 2));  // training moves it
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "rnx_room_deploy";
  const auto packed = deploy::pack(net);
  deploy::save(file, packed, {{"rnx.model", "binary"}});
  auto loaded = decltype(packed)(2);
  CHECK(deploy::load(file, loaded).at("rnx.model") == "binary");
  std::filesystem::remove(file);
}

TEST_CASE("search: a subnet and its cost") {
  using Elastic =
      Sequential<Named<"conv", Conv<8, 3>>, Named<"stage", search::ElasticStage<2, 8, 16, 4, 1>>,
                 GlobalAveragePool, Named<"fc", Linear<10>>>;
  const Network<Elastic, Shape<3, 8, 8>> net(1);
  const Subnet half = net.make_subnet({{"stage.*.conv3", "width", 8}, {"stage", "depth", 1}});
  const search::Active active = search::active(net, half);
  CHECK(active.out[std::size_t(net.graph().find("stage.0.conv3"))].c == 8);
}
