export class FileLocks {}
