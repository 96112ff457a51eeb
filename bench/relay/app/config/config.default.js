exports.keys = 'bench';
