import { detectSandbox } from './detect.ts';

// Run by detectSandbox as root of a user namespace; its last argument is the directory to try in.
void detectSandbox(process.argv[2]).then((report) => process.stdout.write(JSON.stringify(report)));
