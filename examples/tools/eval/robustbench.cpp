#include <rnx/report/text.hpp>

#include "evaluate.hpp"

namespace evaluation {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

/// RobustBench's accuracies are texts of percents with two decimals.
std::string percent_text(const eval::Proportion& p) {
  return report::text::fixed(100 * p.value(), 2);
}

/// The file that RobustBench's model_info/DATASET/NORM/ID.json is. What only its authors know is
/// empty.
Json model_info(const Arguments& a, const report::ModelReport& m) {
  const eval::Accuracy all = report::combined(m.attacks);
  Json info{{"link", ""},
            {"name", m.label},
            {"authors", ""},
            {"additional_data", false},
            {"number_forward_passes", 1},
            {"dataset", a.data.dataset},
            {"venue", ""},
            {"architecture", a.model},
            {"eps", a.eps[0]},
            {"clean_acc", percent_text(eval::clean_proportion(all))},
            {"reported", percent_text(eval::robust_proportion(all))}};
  for (const report::AttackRow& row : m.attacks)
    if (row.name == "aa-standard") {
      info["autoattack_acc"] = percent_text(eval::robust_proportion(row.accuracy));
      info["reported"] = info["autoattack_acc"];
    }
  return info;
}

/// Python that loads the exported weights into a module of the same names.
std::string loader(const std::string& id, const Arguments& a, const NetworkBase<float>& net) {
  const fs::path weights = a.weights[0];
  std::string mean = "None", std = "None";
  for (const auto& b : net.graph().buffers) {
    if (b.name == "normalize.mean") mean = "state[\"normalize.mean\"].view(1, -1, 1, 1)";
    if (b.name == "normalize.std") std = "state[\"normalize.std\"].view(1, -1, 1, 1)";
  }
  const bool normalized = mean != "None" && std != "None";
  return fmt::format(
      "\"\"\"{0}: the weights {1} for a PyTorch module of the architecture {2}.\n\n"
      "    model = load(module)    # logits of images (n, c, h, w) in [0, 1], in eval mode\n"
      "\"\"\"\n"
      "import os\n\nimport torch\nfrom safetensors.torch import load_file\n\n\n"
      "class Normalized(torch.nn.Module):\n"
      "    def __init__(self, module, mean, std):\n"
      "        super().__init__()\n"
      "        self.module = module\n"
      "        self.register_buffer(\"mean\", mean)\n"
      "        self.register_buffer(\"std\", std)\n\n"
      "    def forward(self, x):\n"
      "        return self.module((x - self.mean) / self.std)\n\n\n"
      "def load(module, weights=os.path.join(os.path.dirname(__file__), \"{1}\")):\n"
      "    state = load_file(weights)\n"
      "    own = {{k: v for k, v in state.items() if not k.startswith(\"normalize.\")}}\n"
      "    counters = {{k for k in module.state_dict() if k.endswith(\"num_batches_tracked\")}}\n"
      "    missing, unexpected = module.load_state_dict(own, strict=False)\n"
      "    missing = set(missing) - counters\n"
      "    if missing or unexpected:\n"
      "        raise ValueError(f\"missing {{sorted(missing)}}, unexpected "
      "{{sorted(unexpected)}}\")\n"
      "    {3}\n"
      "    return model.eval()\n",
      id, weights.filename().string(), a.model,
      normalized ? fmt::format("model = Normalized(module, {}, {})", mean, std) : "model = module");
}

}  // namespace

void write_robustbench(const Arguments& a, const report::Report& report,
                       const NetworkBase<float>& net) {
  const fs::path out = a.out;
  io::write_file(
      out / (a.robustbench + ".json"),
      model_info(a, report.models[0]).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  io::write_file(out / (a.robustbench + ".py"), loader(a.robustbench, a, net));
}

}  // namespace evaluation
