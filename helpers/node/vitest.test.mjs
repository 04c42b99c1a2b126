import { test } from 'vitest'
import { promises } from './promises.mjs'

for (const [name, promise] of Object.entries(promises)) test(name, promise)
