// rnx-train: trains a model of the registry, naturally or adversarially, into a run directory that
// can be resumed; sweeps of such runs, and tables of them.
#include "table.hpp"
#include "train/program.hpp"

int main(int argc, char** argv) {
  training::Program p;
  tools::add_sweep_verbs(p.app, training::read_row);
  tools::add_table_verb(p.app);
  return p.app.run(argc, argv, [&p] { return p.train(); });
}
