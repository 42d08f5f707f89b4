/** An object, or a negative error number for why there is none. Tell them apart with `typeof r === 'number'`. */
export type Result<T extends object | string> = T | number;
