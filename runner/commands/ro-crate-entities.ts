import { nounGroup } from '../nouns/noun.ts'

export default nounGroup({
  name: 'ro-crate-entities',
  one: 'RO-Crate entity',
  many: 'RO-Crate entities',
  about: 'Where data came from, as entities of an RO-Crate.',
  listPath: workflowId => `/workflows/${workflowId}/ro_crate_entities`,
  createPath: () => '/ro_crate_entities',
  itemPath: id => `/ro_crate_entities/${id}`,
  columns: ['id', 'entity_id', 'entity_type', 'file_id'],
  fields: {
    entity_id: { kind: 'text', about: 'its @id in the crate', required: true },
    entity_type: { kind: 'text', about: 'its @type', required: true },
    metadata: { kind: 'json', about: 'its JSON-LD object', required: true },
    file_id: { kind: 'integer', about: 'the file of the workflow it describes' },
  },
  example: {
    create: `--entity-id data/mesh.dat --entity-type File --metadata '{"name": "mesh"}'`,
    update: '--entity-type Dataset',
  },
})
