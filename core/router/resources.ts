/** The routes that `router.resources` makes of a controller, each from the action of its name. */
export const RESOURCE_ACTIONS = [
  { action: 'index', methods: ['get'], suffix: '', member: false, prefix: '' },
  { action: 'new', methods: ['get'], suffix: '/new', member: true, prefix: 'new_' },
  { action: 'create', methods: ['post'], suffix: '', member: false, prefix: '' },
  { action: 'show', methods: ['get'], suffix: '/:id', member: true, prefix: '' },
  { action: 'edit', methods: ['get'], suffix: '/:id/edit', member: true, prefix: 'edit_' },
  { action: 'update', methods: ['patch', 'put'], suffix: '/:id', member: true, prefix: '' },
  { action: 'destroy', methods: ['delete'], suffix: '/:id', member: true, prefix: 'destroy_' },
] as const;
