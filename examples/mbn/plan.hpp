// What paper 003 trains: its rows, by name, and the smaller plans that are made of them.
#pragma once

#include <string>
#include <vector>

#include "../tools/paper.hpp"

namespace mbn {

using paper::Json;

/// A representation of weights and activations, and the networks of models.hpp that have it; or a
/// pruned network of full precision.
struct Method {
  std::string name;          ///< "3x1", "pact2"; behind "resnet20_" the model's name
  std::string label;         ///< as the tables call it
  int weights, activations;  ///< bits, or bases
};
/// Those that every plan has.
const std::vector<Method>& methods();
/// What is pruned, as rnx-train's --prune calls it; "": nothing.
std::string pruned_unit(const std::string& method);
/// Whether it is made of signs, and its rates are those of signs.
bool is_of_signs(const std::string& method);
/// Whether it has a packed form: of signs, first and last layer in full precision.
bool is_packable(const std::string& method);
/// One of these, MxN bases, int8_MxN (first and last layer of 8-bit integers), K bits as pactK
/// and dorefaK, or M and N bits as pactMxN. Errors: UsageError (none of them, bases outside 1 to 8,
/// bits outside 2 to 16).
Method method_of(const std::string& name);
/// "resnet20_3x1"; "resnet20" for full precision, pruned or not.
std::string model_of(const std::string& network, const Method& method);
/// Whether the paper counts a network's shortcuts as 3 x 3 convolutions: those of ResNet-18 on
/// ImageNet.
bool shortcuts_as_3x3(const std::string& network);

enum class Training { natural, fast };

/// A network on a data set, trained in one way: a block of the paper's tables.
struct Block {
  std::string prefix{};                                  ///< of its rows' names
  std::string network = "resnet20", images = "cifar10";  ///< or cifar100, imagenet
  Training training = Training::natural;
};

/// A network to train.
struct Row {
  std::string name;  ///< the block's prefix and the method; with "-s" and the seed its folder
  std::string method;
  Block block{};
  std::string from{};  ///< the row whose weights it prunes
  Json settings{};     ///< of rnx-train
  bool natural() const { return block.training == Training::natural; }
  /// The ball and the step of its attacks: (2, 0.5)/255, of FastAT's rows (8, 2)/255.
  std::string eps() const { return natural() ? "2/255" : "8/255"; }
  std::string step() const { return natural() ? "1/510" : "2/255"; }
};

/// How the trained networks are attacked.
struct Attacks {
  int images = 0;  ///< the first test images (0: all)
  int runs = 5;    ///< of each attack, with starts of their own: means over them
  std::vector<int> steps{20, 50};
  int check_images = 100;  ///< the first images, for the evaluation's checks
  int check_steps = 20, check_queries = 500;
  std::vector<std::string> sizes{"1/2550", "1/510", "1/255"};  ///< steps of figures 2 to 4
  std::vector<int> iterations{1, 2, 5, 10, 20, 50, 100};       ///< of figures 2 to 4
};

/// How packed networks are timed.
struct Speed {
  int images = 128;  ///< a batch
  int rounds = 5;
  double seconds = 2;  ///< of each network in each round
};

struct Plan : paper::PlanOf<Row> {
  Attacks attacks{};
  Speed speed{};
};

/// smoke: synthetic images, one epoch for each row, ResNet-20 in all of them, a row or two of each
/// block but those of CIFAR-10. small: CIFAR-10's first images, ResNet-20 trained naturally and by
/// FastAT. paper: all blocks of tables 2 and 3. bases: a method whose rows the plan has besides, in
/// the smaller ones those of CIFAR-10; "": none. Errors: UsageError.
Plan plan_of(const std::string& preset, const std::string& bases = "");

}  // namespace mbn
