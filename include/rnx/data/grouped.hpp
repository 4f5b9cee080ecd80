// Super-classes: a source whose classes are groups of another one's.
#pragma once

#include "rnx/data/selection.hpp"

namespace rnx::inline RNX_ISA::data {

struct Group {
  std::string name;
  std::vector<int> classes;
};

/// first, first + 1, ..., last.
inline std::vector<int> class_range(int first, int last) {
  std::vector<int> classes(std::size_t(std::max(last - first + 1, 0)));
  std::iota(classes.begin(), classes.end(), first);
  return classes;
}

/// Of the 1000 classes of ImageNet, in their usual order (Tsipras et al., "Robustness may be at
/// odds with accuracy", ICLR 2019, table of Restricted ImageNet).
inline std::vector<Group> restricted_imagenet() {
  return {{"dog", class_range(151, 268)},   {"cat", class_range(281, 285)},
          {"frog", class_range(30, 32)},    {"turtle", class_range(33, 37)},
          {"bird", class_range(80, 100)},   {"primate", class_range(365, 382)},
          {"fish", class_range(389, 397)},  {"crab", class_range(118, 121)},
          {"insect", class_range(300, 319)}};
}

/// The samples of another source whose class is in a group, in its order, labelled by the number of
/// the group; others are left out. Errors: UsageError (no group, one without classes, a class that
/// is not there or is in two groups, a name twice; a sample without label; no sample left).
class Grouped final : public Selection {
 public:
  Grouped(const Whole& whole, const std::vector<Group>& groups)
      : Selection("Grouped", whole, ids(*whole, numbers(whole->classes(), groups)), mark(groups)),
        group_(numbers(whole->classes(), groups)) {
    for (const Group& g : groups) names_.push_back(g.name);
    require(size() > 0, [&] {
      return "Grouped: expected samples of the groups' classes, found none in " +
             std::to_string(whole->size()) + " samples";
    });
  }

  int classes() const override { return int(names_.size()); }
  const std::vector<std::string>& class_names() const override { return names_; }
  int label(std::uint32_t id) const override { return group_[std::size_t(Selection::label(id))]; }

  /// The group of each of so many classes; no_label: it is in none. Errors: UsageError, as of a
  /// Grouped, as far as they do not concern samples.
  static std::vector<std::int32_t> numbers(int classes, const std::vector<Group>& groups) {
    require(!groups.empty(), "Grouped: expected groups of classes, found none");
    std::vector<std::int32_t> group(std::size_t(std::max(classes, 0)), no_label);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const std::string& name = groups[g].name;
      require(!groups[g].classes.empty(),
              [&] { return "Grouped: expected classes in group " + name + ", found none"; });
      for (std::size_t before = 0; before < g; ++before)
        require(groups[before].name != name,
                [&] { return "Grouped: expected each group once, found " + name + " twice"; });
      for (const int c : groups[g].classes) {
        require(c >= 0 && c < classes, [&] {
          return "Grouped: expected classes below " + std::to_string(classes) + ", found " +
                 std::to_string(c) + " in group " + name;
        });
        std::int32_t& mine = group[std::size_t(c)];
        require(mine == no_label, [&] {
          return "Grouped: expected each class in one group, found " + std::to_string(c) + " in " +
                 groups[std::size_t(mine)].name + " and in " + name;
        });
        mine = std::int32_t(g);
      }
    }
    return group;
  }

 private:
  static std::vector<std::uint32_t> ids(const Source& whole,
                                        const std::vector<std::int32_t>& group) {
    require_labels(whole, "Grouped");
    std::vector<std::uint32_t> ids;
    for (std::size_t id = 0; id < whole.size(); ++id)
      if (group[std::size_t(whole.label(std::uint32_t(id)))] != no_label)
        ids.push_back(std::uint32_t(id));
    return ids;
  }
  static std::string mark(const std::vector<Group>& groups) {
    std::string text;
    for (const Group& g : groups) {
      text += g.name + ":";
      for (const int c : g.classes) text += std::to_string(c) + ",";
      text += "\n";
    }
    return "grouped:" + std::to_string(groups.size()) + ":" + Checksum().add(text).text();
  }

  std::vector<std::int32_t> group_;
  std::vector<std::string> names_;
};

}  // namespace rnx::inline RNX_ISA::data
