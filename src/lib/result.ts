/** An object or string, or a negative error number if there is none. Tell them apart with `typeof r === 'number'`. */
export type Result<T extends object | string> = T | number;
