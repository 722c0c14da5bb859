/**
 * Stands in for the package of this name, an ES module that @fastify/static requires: Node can do
 * that from 20.19 on, Jest cannot. It serves downloads only, which Latchkey has none of.
 */
module.exports = {
  create: () => {
    throw new Error('downloads are not served in tests');
  },
};
