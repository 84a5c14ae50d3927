import packageJson from '../package.json' with { type: 'json' }

/** The version of this package; the bundler takes the one field out of the file. */
export const VERSION: string = packageJson.version
