/// Training from data to a layered artifact. The graph that is served is the graph that is
/// trained: [Architecture] builds it, [TorchPass] runs it at one width with gradients, [Training]
/// joins the widths over one set of float weights ([NetworkState]), [LayeredExport] writes it.
package dev.strata.trainer.training;
