import { bootChild } from '../child/boot_child.js';
import { meter, serve, type WorkerApplication } from './serve.js';

void bootChild<WorkerApplication>('Application', serve, meter);
